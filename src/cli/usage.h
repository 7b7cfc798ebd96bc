// What a command line that is not understood, or that asks for help, is told.
#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace cweb::cli {

/// The end of `cweb --help`.
extern const char* const usage_examples;
/// The ends of `cweb serve --help` and `cweb health --help`.
extern const char* const serve_examples;
extern const char* const health_examples;

/// The command that was named; the whole when none was.
const CLI::App& asked_command(const CLI::App& app);

/// `--server=$URL` of a variable that is not set: what is wrong with the first option that is given an empty value so,
/// and would take the next argument for it; nothing when there is none.
std::optional<std::string> empty_option_sentence(const CLI::App& app, int argc, const char* const* argv);

/// What is wrong with the command line, and the name that was meant, perhaps.
std::string usage_sentence(const CLI::App& app, int argc, const char* const* argv, const CLI::ParseError& error);

}  // namespace cweb::cli
