//! What jobs of one run see of each other's caches follows `needs`, not local luck.

use crate::lrun::Run;
use crate::project::Project;

const MATRIX: &str = "\
on: push
jobs:
  leg:
    runs-on: ubuntu-24.04
    strategy:
      matrix:
        n: [1, 2, 3, 4]
    steps:
      - uses: actions/cache@v4
        with:
          path: cached
          key: shared
      - run: mkdir -p cached && echo ${{ matrix.n }} > cached/n
  after:
    needs: leg
    runs-on: ubuntu-24.04
    steps:
      - id: cache
        uses: actions/cache@v4
        with:
          path: cached
          key: shared
      - name: After
        run: echo \"hit=${{ steps.cache.outputs.cache-hit }}\"
";

fn run_and_when_ready(jobs: &str) -> Run {
    let project = Project::of_workflow(MATRIX);
    project
        .lrun()
        .args(&["ci.yml", "--jobs", jobs])
        .run()
        .exited(0)
}

#[test]
fn four_legs_miss_one_saves_three_find_the_key_reserved() {
    for jobs in ["1", "4"] {
        let run = run_and_when_ready(jobs);
        let misses = run
            .lookups()
            .iter()
            .filter(|result| *result == "miss")
            .count();
        let conflicts = run
            .not_saved()
            .iter()
            .filter(|reason| *reason == "reserved")
            .count();
        assert_eq!((misses, run.saves(), conflicts), (4, 1, 3), "--jobs {jobs}");
        assert!(
            run.output("After").contains(&"hit=true".to_owned()),
            "--jobs {jobs}"
        );
        let words = run.transcript();
        assert!(
            words.contains("Unable to reserve cache with key shared"),
            "--jobs {jobs}"
        );
    }
}
