"""Steps of a deployment, of its end and of a release.

`up`, `down` and `release` are the three sequences; `refusals` checks beforehand that they can begin. Every step may be
repeated: it leaves alone what exists. The first step that fails ends the sequence.
"""
