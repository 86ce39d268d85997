# Thin names for the commands of README.md and CONTRIBUTING.md; `just --list` shows them.

# Format and lints, as CI checks them
check:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# All tests as whoever you are
test *arguments:
    cargo test {{arguments}}

# All that CI does on a Debian machine: check, tests as root, tests as an ordinary user
test-all:
    .ci/run

# 200 times `kill -9` at any moment of a run, with the figures
kills:
    cargo test --test integration -- --ignored --nocapture two_hundred_killed_runs

# Each reader with inputs nobody would write, for that many seconds
fuzz seconds:
    LRUN_FUZZ_SECONDS={{seconds}} cargo test --test fuzz -- --nocapture

# What lrun costs beside act, bash, tar, git and cp: ratios, with the numbers to reach
bench:
    cargo bench --bench compare

# Accept what golden tests print now as what they should print
bless:
    INSTA_UPDATE=always INSTA_FORCE_PASS=1 cargo test

# The cargo example three times: cold, warm, with one dependency updated
demo:
    examples/demo

# Format the code and group its imports
fmt:
    cargo fmt -- --config imports_granularity=Module,group_imports=StdExternalCrate
