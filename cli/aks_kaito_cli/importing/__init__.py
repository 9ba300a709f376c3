"""Import of the sample's terraform.tfvars into an environment file.

- `tfvars` reads the values; `variables` has the sample's variables and their counterparts, as a table.
- `conversions` makes the values of keys; `carrying` applies them to a file's values, and says what is left out.
- `secret_values` finds values that no file of this project may have; `document` writes TOML.
- `importer` puts the file into the folder of environments, and says what it still needs.
"""
