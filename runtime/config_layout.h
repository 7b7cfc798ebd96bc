// Is a record layout of `config` one that can be read? It is told by the compile helper, which is another process, and
// by a module that may define a struct of its own.
#pragma once

#include "runtime/code_image.h"

namespace cweb::runtime {

/// Every member that is read lies within `config`, every member of a row within its row, and has the size that it is
/// read with. The tables are optional, the names are not.
bool is_sound(const ConfigLayout& layout);

}  // namespace cweb::runtime
