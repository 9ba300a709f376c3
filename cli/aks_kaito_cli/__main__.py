"""Run the command as `python -m aks_kaito_cli`, where the console script is not installed."""

from aks_kaito_cli.app import main

if __name__ == "__main__":
    main()
