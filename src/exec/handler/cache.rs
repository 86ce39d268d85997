//! `actions/cache`, `actions/cache/restore` and `actions/cache/save` on the store
//! as the toolkit does it. Keys, order, outputs, log lines and failures are the action's; only the
//! lines about an archive's size or rate differ, because there is no archive.

use std::sync::Arc;

use super::cache_rules::{self, CacheInputs};
use super::outside::Outside;
use super::restore;
use super::{Scope, in_store};
use crate::agent::AgentError;
use crate::agent::protocol::{PackReport, PackSpec};
use crate::archive::FAILED;
use crate::event::EventKind;
use crate::exec::cold::Looked;
use crate::exec::effects::{CacheState, Effects, Post};
use crate::exec::hashed;
use crate::exec::log::StepLog;
use crate::exec::paths;
use crate::exec::step::ActionInputs;
use crate::lookup::{CacheRequest, EntrySummary, KeyOrigin, Lookup, MissReason, NotSaved};
use crate::outcome::Outcome;
use crate::store::{
    CacheAnswer, CacheIdentity, CacheQuery, NewEntry, Reserve, Seen, StepAddress, StoreError,
    StoredTree, View,
};
use crate::tree::TreeItem;
use crate::workflow::{ActionRef, BuiltIn};

/// The main part of `actions/cache`, and `actions/cache/restore`.
pub(in crate::exec) async fn restore(
    scope: &mut Scope<'_>,
    action: &ActionRef,
    inputs: &ActionInputs,
) -> Result<Effects, AgentError> {
    let cache = match CacheInputs::read(&inputs.values) {
        Ok(cache) => cache,
        Err(message) => return Ok(fail(scope.log, message)),
    };
    let request = cache.request();
    let mut effects = Effects::of(Outcome::Success);
    if action.action == BuiltIn::CacheRestore {
        set(&mut effects, "cache-primary-key", &request.key);
    }
    if let Err(message) = cache_rules::validate_restore(&request) {
        scope.log.error(message);
        effects.outcome = Outcome::Failure;
        return Ok(effects);
    }
    if cache.save_always {
        scope.log.warning(
            "Input 'save-always' has been deprecated with message: save-always does not work as \
             intended and will be removed in a future release. A separate `actions/cache/restore` \
             step should be used instead.",
        );
    }
    let mut origin = inputs.key_origin.clone();
    let found = match forbidding_mode(scope, "read") {
        Some(mode) => {
            scope.log.runner(format!(
                "Cache restore skipped: the effective cache-mode '{mode}' does not permit reads."
            ));
            Ok(CacheAnswer::miss(MissReason::NotPermitted { mode }))
        }
        None => look_up(scope, &request, &mut origin).await,
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            // An unusable service is a miss with a warning, as in the action.
            let problem = error.to_string();
            scope.log.warning(format!("Failed to restore: {problem}"));
            CacheAnswer::miss(MissReason::Damaged { problem, run: None })
        }
    };
    let (lookup, matched) = match bring_back(scope, &cache, &found).await? {
        Ok(matched) => (found.lookup, matched),
        Err(reason) => (
            Lookup::Miss {
                reasons: vec![reason],
            },
            None,
        ),
    };
    effects
        .looked
        .push(Looked::new(&scope.address, &request, &origin, &lookup));
    scope.log.send(EventKind::CacheLookedUp {
        step: scope.log.step().clone(),
        request: request.clone(),
        origin: origin.clone(),
        lookup,
    });
    tell(scope, &mut effects, action, &cache, &matched);
    if action.action == BuiltIn::CacheRestore {
        effects.asked = vec![(request.key, (scope.address.clone(), origin.clone()))];
    } else {
        effects.post = Some(Post::SaveCache(CacheState {
            key: request.key,
            matched: matched.map(|matched| matched.key),
            origin: inputs.key_origin.clone(),
            paths: None,
            on_failure: false,
        }));
    }
    Ok(effects)
}

/// The post part of `actions/cache` (with what its main part left) and `actions/cache/save`.
pub(in crate::exec) async fn save(
    scope: &mut Scope<'_>,
    inputs: &ActionInputs,
    state: Option<CacheState>,
) -> Result<Effects, AgentError> {
    let is_post = state.is_some();
    let mut values = inputs.values.clone();
    if let Some(state) = &state {
        values.insert("key".to_owned(), state.key.clone());
        if let Some(paths) = &state.paths {
            values.insert("path".to_owned(), paths.clone());
        }
    }
    let cache = match CacheInputs::read(&values) {
        Ok(cache) => cache,
        // Only the post part never fails the job.
        Err(message) if is_post => {
            scope.log.runner(format!("[warning]{message}"));
            return Ok(Effects::of(Outcome::Success));
        }
        Err(message) => return Ok(fail(scope.log, message)),
    };
    let request = cache.request();
    let mut origin = inputs.key_origin.clone();
    if let Some(state) = state {
        origin = state.origin;
        let exact = state
            .matched
            .filter(|m| cache_rules::same_key(m, &request.key));
        if exact.is_some() {
            scope.log.runner(format!(
                "Cache hit occurred on the primary key {}, not saving cache.",
                request.key
            ));
            not_saved(scope.log, &request.key, NotSaved::ExactHit);
            return Ok(Effects::of(Outcome::Success));
        }
    }
    let mut step = address(scope);
    if let (false, Some(asked_by)) = (is_post, &inputs.asked_by) {
        step.step.clone_from(asked_by);
    }
    let saved = store_paths(scope, &request, &origin, &step).await?;
    if let Err(reason) = &saved {
        note_unsaved(scope, &step, &request.key, reason).await;
    }
    report_save(scope.log, &request.key, saved, is_post);
    Ok(Effects::of(Outcome::Success))
}

/// The post part of a job that did not succeed: it does not run.
pub(in crate::exec) async fn cannot_save(scope: &Scope<'_>, state: &CacheState, status: Outcome) {
    let exact = |matched: &String| cache_rules::same_key(matched, &state.key);
    let reason = match state.matched.as_ref().is_some_and(exact) {
        true => NotSaved::ExactHit,
        false => NotSaved::JobNotSuccessful { status },
    };
    note_unsaved(scope, &address(scope), &state.key, &reason).await;
    not_saved(scope.log, &state.key, reason);
}

/// Remembers for later runs that this one saved nothing, where that may be why they miss.
async fn note_unsaved(scope: &Scope<'_>, step: &StepAddress, key: &str, reason: &NotSaved) {
    if matches!(reason, NotSaved::ExactHit | NotSaved::Reserved { .. }) {
        return;
    }
    let repository = scope.run.github.identity.repository();
    let (step, saver) = (step.clone(), scope.saver());
    let (key, reason) = (key.to_owned(), reason.clone());
    // A later miss is explained with less, and no worse.
    let _ = in_store(scope, move |store| {
        store.note_unsaved(&repository, &step, &saver, (&key, &reason))
    })
    .await;
}

/// The `cache-mode` in force, if it does not permit to `read` or to `write`.
fn forbidding_mode(scope: &Scope<'_>, access: &str) -> Option<String> {
    let mode = scope
        .place
        .of
        .forbidding_cache_mode(&scope.place.key, access);
    mode.map(str::to_owned)
}

/// What was found and restored.
struct Matched {
    key: String,
    exact: bool,
}

/// The store's answer; `origin` learns which of the files it hashed the job made.
async fn look_up(
    scope: &Scope<'_>,
    request: &CacheRequest,
    origin: &mut KeyOrigin,
) -> Result<CacheAnswer, StoreError> {
    let (view, step) = (view(scope), address(scope));
    let (request, mut known) = (request.clone(), origin.clone());
    let run = Arc::clone(scope.run);
    let (answer, known) = in_store(scope, move |store| {
        hashed::tell_made(&run, &mut known);
        let query = CacheQuery {
            request: &request,
            origin: &known,
            step: &step,
        };
        let mut answer = store.lookup(&view, &query)?;
        hashed::tell_lines(&run, store, &mut answer);
        Ok((answer, known))
    })
    .await?;
    *origin = known;
    Ok(answer)
}

/// Lays the found entry out, unless only asked to look. None: nothing was found.
async fn bring_back(
    scope: &mut Scope<'_>,
    cache: &CacheInputs,
    found: &CacheAnswer,
) -> Result<Result<Option<Matched>, MissReason>, AgentError> {
    let (entry, exact) = match &found.lookup {
        Lookup::Hit { entry } => (entry, true),
        Lookup::Partial { entry, .. } => (entry, false),
        Lookup::Miss { .. } => return Ok(Ok(None)),
    };
    if let Some(line) = cache_rules::found_line(&found.lookup) {
        scope.log.runner(line);
    }
    if cache.lookup_only {
        scope.log.runner("Lookup only - skipping download");
    } else if let Some(tree) = found.tree {
        scope.log.runner(cache_rules::size_line(
            entry.archive_size.unwrap_or(entry.size),
        ));
        if let Err(mut reason) = restore::lay_out(scope, entry, tree).await? {
            if let MissReason::Damaged { run, .. } = &mut reason {
                *run = Some(entry.run);
            }
            return Ok(Err(reason));
        }
        scope.log.runner("Cache restored successfully");
    }
    Ok(Ok(Some(Matched {
        key: entry.key.clone(),
        exact,
    })))
}

/// The action's lines and outputs after the restore.
fn tell(
    scope: &mut Scope<'_>,
    effects: &mut Effects,
    action: &ActionRef,
    cache: &CacheInputs,
    matched: &Option<Matched>,
) {
    let Some(matched) = matched else {
        if let Some(value) = cache_rules::hit_after_miss(action) {
            set(effects, "cache-hit", value);
        }
        if cache.fail_on_miss {
            scope.log.error(format!(
                "Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: {}",
                cache.key
            ));
            if cache_rules::fails_on_miss(action) {
                effects.outcome = Outcome::Failure;
            }
        } else {
            scope.log.runner(cache_rules::miss_line(&cache.request()));
        }
        return;
    };
    if action.action == BuiltIn::CacheRestore {
        set(effects, "cache-matched-key", &matched.key);
    }
    set(
        effects,
        "cache-hit",
        if matched.exact { "true" } else { "false" },
    );
    scope.log.runner(match cache.lookup_only {
        true => format!("Cache found and can be restored from key: {}", matched.key),
        false => format!("Cache restored from key: {}", matched.key),
    });
}

/// Packs the paths as the job's user and commits them under the key.
async fn store_paths(
    scope: &Scope<'_>,
    request: &CacheRequest,
    origin: &KeyOrigin,
    step: &StepAddress,
) -> Result<Result<Saved, NotSaved>, AgentError> {
    if let Err(message) = cache_rules::validate_save(request) {
        return Ok(Err(NotSaved::Invalid { message }));
    }
    if let Some(mode) = forbidding_mode(scope, "write") {
        return Ok(Err(NotSaved::NotPermitted { mode }));
    }
    let (tree, report) = pack(scope, request).await?;
    let (tree, seen) = match tree {
        Ok(packed) => packed,
        Err(error) => return Ok(Err(invalid(&error))),
    };
    let report = match report {
        Ok(report) => report,
        Err(AgentError::Refused { message }) => return Ok(Err(NotSaved::Invalid { message })),
        Err(error) => return Err(error),
    };
    if report.matched.iter().all(|&count| count == 0) {
        return Ok(Err(NotSaved::NothingMatched));
    }
    if !report.problems.is_empty() {
        return Ok(Err(NotSaved::Unreadable {
            problems: report.problems,
        }));
    }
    // The reservation is made once the archive exists, as the toolkit does.
    let Some(writable) = scope.run.github.writable_scope() else {
        let message = format!(
            "Failed to save: Unable to reserve cache with key {}. More details: cache write \
             denied: token has no writable scopes",
            request.key
        );
        return Ok(Err(NotSaved::Invalid { message }));
    };
    let identity = CacheIdentity {
        repository: scope.run.github.identity.repository(),
        scope: writable,
        key: request.key.clone(),
        version: request.version,
    };
    let saver = scope.saver();
    let entry = NewEntry {
        tree,
        paths: request.paths.clone(),
        origin: origin.clone(),
        step: step.clone(),
        dirty: scope.run.content.is_dirty(),
        commit: scope.run.content.snapshot.head_sha.clone(),
    };
    let outside = Outside::of(scope);
    let run = Arc::clone(scope.run);
    let saved = in_store(scope, move |store| {
        Ok(match store.reserve(&identity, &saver)? {
            Reserve::Conflict { by } => Err(NotSaved::Reserved { by }),
            Reserve::Granted(reservation) => {
                hashed::keep(&run, store, &entry.origin);
                let saved = reservation.commit(&entry)?;
                if report.was_alone {
                    outside.shelve_seen(store, entry.tree.digest, &seen);
                }
                Ok(Saved {
                    new_bytes: entry.tree.new_bytes,
                    entry: saved,
                })
            }
        })
    })
    .await;
    Ok(saved.unwrap_or_else(|error| Err(invalid(&error))))
}

/// An entry that was made.
struct Saved {
    entry: EntrySummary,
    new_bytes: u64,
}

fn invalid(error: &StoreError) -> NotSaved {
    NotSaved::Invalid {
        message: error.to_string(),
    }
}

/// What was stored, and the directories it was read from.
type Packed = (StoredTree, Vec<Seen>);

async fn pack(
    scope: &Scope<'_>,
    request: &CacheRequest,
) -> Result<(Result<Packed, StoreError>, Result<PackReport, AgentError>), AgentError> {
    let holder = Outside::of(scope).holder;
    let known = in_store(scope, move |store| store.contents_out(&holder)).await;
    // Without it everything is read.
    let known = known.unwrap_or_default();
    let spec = PackSpec {
        paths: request.paths.clone(),
        workspace: scope.place.paths.workspace.clone(),
        home: paths::HOME.to_owned(),
        known: known.keys().copied().collect(),
    };
    let (mut items, packing) = scope.place.agent.pack(spec).await?;
    let transfer = scope.log.transfer(None);
    let writing = in_store(scope, move |store| {
        let mut writer = store.write_tree_knowing(known);
        while let Some(batch) = items.blocking_recv() {
            transfer.add(batch.iter().map(TreeItem::content_length).sum());
            batch.into_iter().try_for_each(|item| writer.take(item))?;
        }
        writer.finish_in_place()
    });
    let (tree, report) = tokio::join!(writing, packing);
    Ok((tree, report))
}

/// The action's lines about a save, and the fact.
fn report_save(log: &mut StepLog, key: &str, saved: Result<Saved, NotSaved>, is_post: bool) {
    let reason = match saved {
        Ok(saved) => {
            log.runner(cache_rules::size_line(
                saved.entry.archive_size.unwrap_or(saved.entry.size),
            ));
            log.runner(format!("Cache saved with key: {key}"));
            log.send(EventKind::CacheSaved {
                step: log.step().clone(),
                key: key.to_owned(),
                size: saved.entry.size,
                new_bytes: saved.new_bytes,
                files: saved.entry.files,
            });
            return;
        }
        Err(reason) => reason,
    };
    match &reason {
        NotSaved::Reserved { .. } => log.runner(format!(
            "Failed to save: Unable to reserve cache with key {key}, another job may be creating this cache."
        )),
        NotSaved::NothingMatched => log.runner(
            "[warning]Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved.",
        ),
        NotSaved::Unreadable { problems } => {
            for problem in problems {
                log.runner(problem);
            }
            log.warning(tar_failed("save", problems));
        }
        NotSaved::NotPermitted { mode } => log.runner(format!(
            "Cache save skipped: the effective cache-mode '{mode}' does not permit writes."
        )),
        NotSaved::Invalid { message } => log.runner(format!("[warning]{message}")),
        NotSaved::ExactHit | NotSaved::JobNotSuccessful { .. } => {}
    }
    if !is_post {
        log.warning("Cache save failed.");
    }
    not_saved(log, key, reason);
}

/// The toolkit's warning when tar does not exit with 0.
pub(super) fn tar_failed(what: &str, problems: &[String]) -> String {
    let fatal = problems.last().is_some_and(|last| last == FAILED);
    let code = if fatal { 2 } else { 1 };
    format!(
        "Failed to {what}: \"/usr/bin/tar\" failed with error: The process '/usr/bin/tar' failed \
         with exit code {code}"
    )
}

fn not_saved(log: &StepLog, key: &str, reason: NotSaved) {
    log.send(EventKind::CacheNotSaved {
        step: log.step().clone(),
        key: key.to_owned(),
        reason,
    });
}

fn view(scope: &Scope<'_>) -> View {
    View {
        repository: scope.run.github.identity.repository(),
        scopes: scope.run.github.readable_scopes(),
        position: scope.run.store_position,
        run: scope.run.id,
        job: scope.place.key.clone(),
        needs: scope.place.needs.clone(),
    }
}

fn address(scope: &Scope<'_>) -> StepAddress {
    StepAddress {
        workflow: scope.run.workflow.source.path.clone(),
        job: scope.place.key.id.clone(),
        step: scope.address.clone(),
    }
}

fn set(effects: &mut Effects, name: &str, value: &str) {
    effects.outputs.insert(name.to_owned(), value.to_owned());
}

fn fail(log: &mut StepLog, message: String) -> Effects {
    log.error(message);
    Effects::of(Outcome::Failure)
}
