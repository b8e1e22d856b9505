//! Nothing: what is here are programs, and the tests that compile them.
