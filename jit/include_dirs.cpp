// Reads the operator's header directories at start-up. The only code of the compiler that opens a file.
#include "jit/include_dirs.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace cweb::jit {
namespace {

namespace fs = std::filesystem;

// Somebody who says `--include /` means something else; these bounds tell early.
constexpr size_t most_files = 20'000;
constexpr size_t most_bytes = size_t{128} << 20;

Expected<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(fmt::format("cannot read {}, which --include made available to modules", path.string()));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Expected<void> read_directory(const fs::path& directory, IncludeDirs& result, size_t& bytes) {
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    // A device or a fifo would never end; a link to nothing is nobody's header.
    std::error_code unreadable;
    if (!entry->is_regular_file(unreadable) || unreadable) continue;
    bytes += static_cast<size_t>(entry->file_size(unreadable));
    if (unreadable || bytes > most_bytes || result.files.size() >= most_files) {
      return fail(fmt::format("--include {}: more than {} files or {} MiB; name the directory of the headers alone",
                              directory.string(), most_files, most_bytes >> 20));
    }
    Expected<std::string> text = read_file(entry->path());
    if (!text) return std::unexpected(text.error());
    result.files.push_back({entry->path().string(), std::move(*text)});
  }
  if (error) return fail(fmt::format("--include {}: {}", directory.string(), error.message()));
  return {};
}

}  // namespace

Expected<IncludeDirs> read_include_dirs(const std::vector<std::string>& directories) {
  IncludeDirs result;
  size_t bytes = 0;
  for (const std::string& name : directories) {
    std::error_code error;
    const fs::path directory = fs::canonical(name, error);
    if (error) return fail(fmt::format("--include {}: {}", name, error.message()));
    if (!fs::is_directory(directory, error)) return fail(fmt::format("--include {}: not a directory", name));
    if (auto read = read_directory(directory, result, bytes); !read) return std::unexpected(read.error());
    result.directories.push_back(directory.string());
  }
  return result;
}

}  // namespace cweb::jit
