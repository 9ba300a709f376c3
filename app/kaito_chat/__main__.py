"""`python -m kaito_chat`: serve the chat."""

import sys

from kaito_chat import garbage

if __name__ == "__main__":
    garbage.postpone()
    from kaito_chat.serve import main

    sys.exit(main())
