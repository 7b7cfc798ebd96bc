// The streams that modules have opened and not closed. fclose takes no others.
#pragma once

#include <cstdio>

#include "runtime/live_set.h"

namespace cweb::runtime {

LiveSet<FILE*>& open_streams();

}  // namespace cweb::runtime
