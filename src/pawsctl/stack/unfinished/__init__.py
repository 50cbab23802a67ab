"""Operations that were interrupted or killed: the words for the user, and the notes on disk."""
