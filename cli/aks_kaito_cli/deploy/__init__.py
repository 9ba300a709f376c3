"""Steps of deploy, destroy and release.

`up`, `down` and `release` are the three sequences; `refusals` checks beforehand that they can begin. Every step is
idempotent. The first step that fails ends the sequence.
"""
