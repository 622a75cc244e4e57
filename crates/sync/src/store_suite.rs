//! The suite that every state store must pass.
