#include "cli/include_dir.h"

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace cweb::cli {

namespace fs = std::filesystem;

Expected<std::string> include_dir_of(const std::string& program) {
  std::error_code error;
  for (fs::path at = fs::path(program).parent_path(); at.has_relative_path(); at = at.parent_path()) {
    if (fs::is_regular_file(at / "include" / "cweb.h", error)) return at / "include";
  }
  return fail("cweb.h was not installed with this program (" + program + "): `make install` puts it in PREFIX/include");
}

Expected<std::string> include_dir() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail("where this program lies cannot be read from /proc/self/exe: " + error.message());
  return include_dir_of(program);
}

int print_include_dir() {
  const auto directory = include_dir();
  if (!directory) {
    std::fprintf(stderr, "cweb: %s\n", directory.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", directory->c_str());
  return 0;
}

}  // namespace cweb::cli
