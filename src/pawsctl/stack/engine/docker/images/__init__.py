"""Images: their names, logins and versions, and how they are pulled."""
