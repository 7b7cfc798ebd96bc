// The locale that a module has set for its thread: it ends with the call, as others' code runs there next.
#pragma once

namespace cweb::runtime {

/// Has the call that runs on this thread set one? A load and a branch for those that have not.
extern constinit thread_local bool locale_changed;
void restore_locale();
/// When a call has ended, by whatever way.
inline void end_locale() {
  if (locale_changed) restore_locale();
}

}  // namespace cweb::runtime
