"""Named environments, from pawsctl.toml in the user's configuration and in the project."""
