//! The model phone and its random life.
