# What `actions/checkout` does in a clone that is there. The variables and the functions `fetch` and
# `sparse` are set before.
command -v git >/dev/null || exit 127
cd "$TARGET" || exit 99
export GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1

# From the repository that stands for GitHub's; nothing of this is kept.
real_git() {
  git -c "url.$STAND_IN.insteadOf=$URL" -c protocol.file.allow=always "$@"
}
action() {
  printf '\001/usr/bin/git %s\n' "$*"
  real_git "$@" 2>&1
}
must() {
  "$@" || { code=$?; rm -rf "$STAND_IN"; exit $code; }
}
# The clone is of no use.
anew() {
  printf '%s\n' "$1"
  rm -rf "$STAND_IN"
  exit 99
}
begin() { printf '\002%s\n' "$1"; }
end() { printf '\003\n'; }

rm -f .git/index.lock .git/shallow.lock
begin 'Removing previously created refs, to avoid conflicts'
unprepared='##[warning]Unable to prepare the existing repository. The repository will be recreated instead.'
if name=$(git rev-parse --symbolic-full-name --verify --quiet HEAD); then
  case $name in
    refs/heads/*) action checkout --detach || anew "$unprepared" ;;
  esac
fi
for branch in $(git rev-parse --symbolic-full-name --branches); do
  action branch --delete --force "${branch#refs/heads/}" || anew "$unprepared"
done
wanted=$(printf '%s' "${REF#refs/heads/}" | tr '[:lower:]' '[:upper:]')
case $REF in
  refs/heads/* | [!r]* | r[!e]*)
    for branch in $(git rev-parse --symbolic-full-name --remotes=origin); do
      short=${branch#refs/remotes/}
      found=$(printf '%s' "${short#origin/}" | tr '[:lower:]' '[:upper:]')
      case $wanted/ in "$found"/?*) clash=1 ;; *) clash= ;; esac
      case $found/ in "$wanted"/?*) clash=1 ;; esac
      [ -z "$clash" ] || action branch --delete --force --remotes "$short" || anew "$unprepared"
    done
    ;;
esac
end
action submodule status || anew 'Bad Submodules found, removing existing files'
if [ -n "$CLEAN" ]; then
  begin 'Cleaning the repository'
  unclean='##[warning]Unable to clean or reset the repository. The repository will be recreated instead.'
  action clean -ffdx || anew "$unclean"
  action reset --hard HEAD || anew "$unclean"
  end
fi
begin 'Disabling automatic garbage collection'
must action config --local gc.auto 0
end
begin 'Fetching the repository'
UNSHALLOW=
[ -z "$WHOLE" ] || [ ! -e .git/shallow ] || UNSHALLOW=--unshallow
must fetch
rm -rf "$STAND_IN"
end
begin 'Determining the checkout info'
end
case $SPARSE in
  none)
    action sparse-checkout disable
    action config --local --unset-all extensions.worktreeConfig
    ;;
  cone)
    begin 'Setting up sparse checkout'
    must sparse
    end
    ;;
  patterns)
    begin 'Setting up sparse checkout'
    must action config core.sparseCheckout true
    file=$(git rev-parse --git-path info/sparse-checkout)
    printf '\n%s\n' "$PATTERNS" >>"$file"
    end
    ;;
esac
begin 'Checking out the ref'
if [ -n "$START" ]; then
  must action checkout --progress --force -B "$BRANCH" "$START"
else
  must action checkout --progress --force "$BRANCH"
fi
end
must action log -1 --format=%H
exit 0
