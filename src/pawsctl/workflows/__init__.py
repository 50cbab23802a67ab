"""Operations on both sessions and stack; no other package uses both."""
