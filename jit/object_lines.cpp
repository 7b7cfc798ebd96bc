// Looks addresses up in an object's line table and symbol table. Any thread, one at a time: the tables are read as far
// as a question needs them, which changes them.
#include "jit/object_lines.h"

// clang-format off: before LLVM's own
#include "jit/scoped_printer.h"
// clang-format on

#include <llvm/DebugInfo/DIContext.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Object/SymbolSize.h>

#include <algorithm>
#include <optional>

#include "jit/compiler_arguments.h"

namespace cweb::jit {
namespace {

/// A function as the symbol table has it; line tables name inlined functions only.
struct FunctionSymbol {
  uint64_t section = 0, begin = 0, bytes = 0;
  std::string name;
};

void ignore(llvm::Error error) {
  llvm::consumeError(std::move(error));
}

template <class T>
std::optional<T> value_of(llvm::Expected<T> expected) {
  if (expected) return std::move(*expected);
  ignore(expected.takeError());
  return std::nullopt;
}

std::vector<FunctionSymbol> functions_of(const llvm::object::ObjectFile& object) {
  std::vector<FunctionSymbol> functions;
  for (const auto& [symbol, bytes] : llvm::object::computeSymbolSizes(object)) {
    if (value_of(symbol.getType()) != llvm::object::SymbolRef::ST_Function) continue;
    const auto name = value_of(symbol.getName());
    const auto begin = value_of(symbol.getAddress());
    const auto section = value_of(symbol.getSection());
    if (!name || !begin || !section || *section == object.section_end()) continue;
    functions.push_back({(*section)->getIndex(), *begin, bytes, name->str()});
  }
  return functions;
}

SourcePosition position_of(const llvm::DILineInfo& line) {
  // A position in a header says nothing to whoever reads it as one of the module.
  if (line.FileName != module_file) return {};
  return {line.Line, line.Column};
}

}  // namespace

struct ObjectLines::Tables {
  std::unique_ptr<llvm::object::ObjectFile> object;
  std::unique_ptr<llvm::DWARFContext> lines;
  std::vector<FunctionSymbol> functions;

  explicit Tables(const std::string& bytes) {
    auto parsed = value_of(llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(bytes, module_file)));
    if (!parsed) return;
    object = std::move(*parsed);
    lines = llvm::DWARFContext::create(*object, llvm::DWARFContext::ProcessDebugRelocations::Process,
                                       /*L=*/nullptr, /*DWPName=*/"", ignore, ignore);
    functions = functions_of(*object);
  }

  std::string function_at(uint64_t section, uint64_t offset) const {
    for (const FunctionSymbol& function : functions) {
      if (function.section == section && offset - function.begin < function.bytes) return function.name;
    }
    return {};
  }
};

ObjectLines::ObjectLines(std::string object, std::vector<CodeSection> sections)
    : object_(std::move(object)), sections_(std::move(sections)) {}

ObjectLines::~ObjectLines() = default;

std::vector<CodeLocation> ObjectLines::locate(uintptr_t pc) const {
  const auto section = std::find_if(sections_.begin(), sections_.end(),
                                    [pc](const CodeSection& each) { return pc - each.begin < each.bytes; });
  if (section == sections_.end()) return {};
  const uint64_t offset = pc - section->begin;

  const std::lock_guard lock(mutex_);
  if (tables_ == nullptr) tables_ = std::make_unique<Tables>(object_);
  if (tables_->lines == nullptr) return {};
  const llvm::DILineInfoSpecifier wanted(llvm::DILineInfoSpecifier::FileLineInfoKind::RawValue,
                                         llvm::DILineInfoSpecifier::FunctionNameKind::ShortName);
  const llvm::DIInliningInfo found = tables_->lines->getInliningInfoForAddress({offset, section->index}, wanted);

  std::vector<CodeLocation> locations;
  for (uint32_t i = 0; i < found.getNumberOfFrames(); ++i) {
    const llvm::DILineInfo& frame = found.getFrame(i);
    const bool is_named = frame.FunctionName != llvm::DILineInfo::BadString;
    locations.push_back({is_named ? frame.FunctionName : std::string(), position_of(frame)});
  }
  if (locations.empty()) locations.emplace_back();
  // The outermost frame is the function that the code was emitted for.
  if (locations.back().function.empty()) locations.back().function = tables_->function_at(section->index, offset);
  if (locations.size() == 1 && locations[0].function.empty() && locations[0].position.line == 0) return {};
  return locations;
}

}  // namespace cweb::jit
