// `cweb health`: asks the server on this machine whether it serves. What a container's health check runs: the image
// then needs no client of its own.
#pragma once

#include "cli/options.h"

namespace cweb::cli {

/// 0 when the server answers 200 on /mgnt/health, over TLS or without; 1 with a sentence on standard error when not.
/// The certificate is not looked at: it is this machine's own server that is asked, under a name that it need not have.
int ask_health(const HealthOptions& options);

}  // namespace cweb::cli
