//! Time zones: names, rules, and the clock readings they give. No I/O.
