// What the code of a module depends on besides its source. Headers and the compiler's own parts are in the binaries,
// and the linker has given each binary an id that changes with its content.
#include <elf.h>
#include <fmt/format.h>
#include <link.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/Support/SHA256.h>

#include <array>
#include <cstring>
#include <iterator>
#include <string_view>

#include "jit/compiler.h"
#include "jit/compiler_arguments.h"
#include "jit/include_dirs.h"

namespace cweb::jit {
namespace {

std::string hex(const uint8_t* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) fmt::format_to(std::back_inserter(text), "{:02x}", bytes[i]);
  return text;
}

/// The id in a segment of notes, in hexadecimal; empty when there is none.
std::string build_id_in(const uint8_t* notes, size_t size) {
  const auto padded = [](size_t bytes) { return (bytes + 3) / 4 * 4; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes, sizeof head);
    const size_t whole = sizeof head + padded(head.n_namesz) + padded(head.n_descsz);
    if (whole > size) break;
    const uint8_t* const name = notes + sizeof head;
    if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && std::memcmp(name, ELF_NOTE_GNU, 4) == 0) {
      return hex(name + padded(head.n_namesz), head.n_descsz);
    }
    notes += whole;
    size -= whole;
  }
  return {};
}

struct BuildIds {
  std::string program, libraries;
};

/// Called by the dynamic linker for each file that is loaded, this program first.
int look_at(dl_phdr_info* file, size_t, void* result) {
  BuildIds& ids = *static_cast<BuildIds*>(result);
  const std::string_view path = file->dlpi_name;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const bool is_compiler = name.starts_with("libLLVM") || name.starts_with("libclang-cpp");
  if (!path.empty() && !is_compiler) return 0;
  for (const ElfW(Phdr)* segment = file->dlpi_phdr; segment != file->dlpi_phdr + file->dlpi_phnum; ++segment) {
    if (segment->p_type != PT_NOTE) continue;
    const auto* const notes = reinterpret_cast<const uint8_t*>(file->dlpi_addr + segment->p_vaddr);
    const std::string id = build_id_in(notes, segment->p_memsz);
    if (id.empty()) continue;
    if (is_compiler) {
      ids.libraries += fmt::format("{} {}\n", name, id);
    } else if (ids.program.empty()) {
      ids.program = id;
    }
  }
  return 0;
}

Expected<std::string> digest_of_headers(const std::vector<std::string>& directories) {
  if (directories.empty()) return "none";
  const auto read = read_include_dirs(directories);
  if (!read) return std::unexpected(read.error());
  llvm::SHA256 digest;
  const auto add = [&](const std::string& text) {
    digest.update(fmt::format("{} ", text.size()));
    digest.update(text);
  };
  for (const std::string& directory : read->directories) add(directory);
  for (const IncludedFile& file : read->files) {
    add(file.path);
    add(file.text);
  }
  const std::array<uint8_t, 32> bytes = digest.final();
  return hex(bytes.data(), bytes.size());
}

}  // namespace

Expected<std::string> compiler_fingerprint(const CompilerOptions& options) {
  BuildIds ids;
  dl_iterate_phdr(look_at, &ids);
  if (ids.program.empty()) return fail("this binary has no build id (it was linked without --build-id)");
  const auto headers = digest_of_headers(options.include_dirs);
  if (!headers) return std::unexpected(headers.error());
  std::string text = fmt::format("cweb {}\nLLVM {}\n{}", ids.program, LLVM_VERSION_STRING, ids.libraries);
  for (const std::string& argument : compiler_arguments(options.include_dirs)) text += argument + '\n';
  const CompileLimits& limits = options.limits;
  return text + fmt::format("static data {}, source {}\nheaders {}\n", limits.static_data_bytes, limits.source_bytes,
                            *headers);
}

}  // namespace cweb::jit
