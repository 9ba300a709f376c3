"""Groups of subcommands, one module each: `register` adds them to the application."""
