// What a process says when it dies of a signal: which, during whose call, and where.
#pragma once

namespace cweb::runtime {

/// Where the name of the module whose call was running is written when the process is about to die of a signal: a
/// descriptor, or -1. For whoever starts the process again.
void set_crash_note(int fd);

/// Only what may be called in a signal handler; backtrace() has been called before.
void say_last_words(int signal_number);

/// Is this thread the first that the process dies of? Others, which meet the same damage, wait for its words to be
/// written; a fault among these is the end at once.
bool is_first_to_die();

}  // namespace cweb::runtime
