//! Real directories: a small disk that is full, one that is read-only, one that is taken.
