//! Any text through everything that `zdm lint` does with a file, for each family of servers.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| zdm::fuzz_lint(text));
