"""The demonstration without a cloud: `make demo`.

- `stage`: headings, commands and their output at a reader's pace.
- `chapters`: synthesis, a change, plan and apply, the chat, status and costs. Azure, the cluster and the price list are
  the fakes of the tests.
- `conversation`: a page of the chat application, in its own environment.
- `recording`: the recording of a demonstration, and pictures of it.
"""
