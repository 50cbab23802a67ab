"""Operations that change sessions: touch, delete, flush, seed."""
