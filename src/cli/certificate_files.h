// Which certificate the server is to use, if any: what was named, or in production what lies in the working directory.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "cli/options.h"

namespace cweb::cli {

/// Names alone; nothing is read.
struct CertificateNames {
  std::string certificate;
  std::string key;
};

/// Empty: the server is to speak plain HTTP. Fails where that contradicts the other options, or where production would
/// do so without having been told to.
Expected<std::optional<CertificateNames>> certificate_files(const ServeOptions& options);

}  // namespace cweb::cli
