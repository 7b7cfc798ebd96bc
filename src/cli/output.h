// What client commands write: results to standard output, sentences to standard error. One thread.
#pragma once

#include <string_view>

namespace cweb::cli {

/// To standard output, as it is.
void print(std::string_view text);

/// What was printed is written now. False: that, or something before it, could not be.
bool flush_output();

/// Does somebody still read standard output? False at the end of `cweb logs -f | head -1`, before anything more is
/// written; finish_output() knows it then.
bool has_reader();

/// A server's own bytes to standard output: as they are, but for a terminal, where they are made harmless.
void print_foreign(std::string_view text);

/// To standard error, as it is, after what has been printed.
void print_message(std::string_view text);

/// "cweb: SENTENCE" on standard error.
void complain(std::string_view sentence);

/// Is what was printed all written? If not, says so and makes 1 of the exit code 0. A reader that has had enough
/// (`cweb list | head -1`) is told nothing.
int finish_output(int exit_code);

}  // namespace cweb::cli
