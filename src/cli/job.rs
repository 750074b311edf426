//! What the engine is asked to do, from settings and flags.
