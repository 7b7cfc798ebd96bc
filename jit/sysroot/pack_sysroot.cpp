// Build-time tool: concatenates the headers that a manifest names into one file that is linked into the binary.
// Standard library only; runs on the build machine and nowhere else.
//
// The file: a header (magic, number of entries), the entries in order of their paths, then the texts. Each text is
// followed by a NUL, because Clang's lexer wants one and would copy a text that has none.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "jit/sysroot/archive_format.h"

namespace {

using cweb::jit::ArchiveEntry;
using cweb::jit::ArchiveHeader;

struct Header {
  std::string path;
  std::string file;
  std::string text;
};

std::vector<Header> read_manifest(const char* name) {
  std::vector<Header> headers;
  std::ifstream manifest(name);
  for (std::string line; std::getline(manifest, line);) {
    const size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    Header header{line.substr(0, tab), line.substr(tab + 1), {}};
    std::ifstream in(header.file, std::ios::binary);
    // A package that was upgraded since the manifest was made may have dropped a header.
    if (!in) continue;
    header.text.assign(std::istreambuf_iterator<char>(in), {});
    headers.push_back(std::move(header));
  }
  return headers;
}

template <class T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: pack_sysroot MANIFEST OUTPUT DEPFILE\n";
    return 2;
  }
  const std::vector<Header> headers = read_manifest(argv[1]);
  std::string index, texts;
  append(index, ArchiveHeader{cweb::jit::archive_magic, static_cast<uint32_t>(headers.size())});
  const size_t texts_begin = sizeof(ArchiveHeader) + headers.size() * sizeof(ArchiveEntry);
  for (const Header& header : headers) {
    ArchiveEntry entry{};
    entry.path_offset = static_cast<uint32_t>(texts_begin + texts.size());
    entry.path_size = static_cast<uint32_t>(header.path.size());
    texts += header.path + '\0';
    entry.text_offset = static_cast<uint32_t>(texts_begin + texts.size());
    entry.text_size = static_cast<uint32_t>(header.text.size());
    texts += header.text + '\0';
    append(index, entry);
  }
  std::ofstream(argv[2], std::ios::binary) << index << texts;

  std::ofstream dependencies(argv[3]);
  dependencies << argv[2] << ':';
  for (const Header& header : headers) dependencies << " \\\n  " << header.file;
  dependencies << '\n';
  return dependencies.good() ? 0 : 1;
}
