"""How sessions are shown: expiry, listed fields, conversations and raw values."""
