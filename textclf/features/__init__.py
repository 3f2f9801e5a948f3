"""Texts as matrices of n-gram counts and tf-idf weights."""
