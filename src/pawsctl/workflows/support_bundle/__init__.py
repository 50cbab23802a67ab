"""One file for whoever is to help, without what is private."""
