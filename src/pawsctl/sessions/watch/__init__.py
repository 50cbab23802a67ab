"""Following sessions as they change."""
