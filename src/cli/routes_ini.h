// routes.ini: which server, and which files are deployed to it. Text to plain data; parses, and opens the ini alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/small_file.h"

namespace cweb::cli {

inline constexpr const char* default_ini = "routes.ini";

struct RoutesIni {
  std::string server_url;             ///< as parse_server_url makes it; empty: none is named
  std::vector<std::string> files;     ///< in their order, as paths for this process: relative ones lead with the ini's
  std::vector<std::string> problems;  ///< "routes.ini:3: ...": the lines that are not understood, in their order
  std::string server_problem;         ///< the one of them that is about the server
};

/// `path` is the ini's, as the user named it.
RoutesIni parse_routes_ini(std::string_view text, const std::string& path);

/// Fails when the file cannot be read.
Expected<RoutesIni> read_routes_ini(const std::string& path, FileKind kind = FileKind::any);

/// The server that an ini names, whatever else is in it; empty when there is no such file or it names none. Fails when
/// what it names is no URL.
Expected<std::string> server_of_ini(const std::string& path);

}  // namespace cweb::cli
