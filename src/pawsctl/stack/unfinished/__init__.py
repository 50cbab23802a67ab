"""Operations that were interrupted or killed: what is told of them, and the notes they leave."""
