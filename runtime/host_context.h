// The context that callbacks of the context-first generation are given: the one place that fills it.
#pragma once

#include <memory>

struct cweb_context;

namespace cweb::runtime {

/// A version's own, so that a module which writes to its context does nothing to others. What it points to belongs to
/// the process.
std::unique_ptr<cweb_context> make_context();

}  // namespace cweb::runtime
