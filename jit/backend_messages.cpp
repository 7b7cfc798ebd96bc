#include "jit/backend_messages.h"

#include <clang/Basic/DiagnosticFrontend.h>
#include <clang/Basic/FileManager.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>

namespace cweb::jit {
namespace {

using clang::SourceLocation;

unsigned by_severity(llvm::DiagnosticSeverity severity, unsigned error, unsigned warning, unsigned note) {
  switch (severity) {
    case llvm::DS_Error:
      return error;
    case llvm::DS_Warning:
      return warning;
    default:
      return note;
  }
}

unsigned assembly_message(llvm::DiagnosticSeverity severity) {
  namespace diag = clang::diag;
  return by_severity(severity, diag::err_fe_inline_asm, diag::warn_fe_inline_asm, diag::note_fe_inline_asm);
}

/// The front end leaves the place of each assembly statement and of some calls in the code as a number.
SourceLocation from_cookie(uint64_t cookie) {
  return SourceLocation::getFromRawEncoding(static_cast<SourceLocation::UIntTy>(cookie));
}

}  // namespace

bool BackendMessages::handleDiagnostics(const llvm::DiagnosticInfo& info) {
  if (const auto* assembler = llvm::dyn_cast<llvm::DiagnosticInfoSrcMgr>(&info)) {
    report(*assembler);
  } else if (const auto* assembly = llvm::dyn_cast<llvm::DiagnosticInfoInlineAsm>(&info)) {
    report(*assembly);
  } else if (const auto* call = llvm::dyn_cast<llvm::DiagnosticInfoDontCall>(&info)) {
    report(*call);
  } else if (const auto* failure = llvm::dyn_cast<llvm::DiagnosticInfoOptimizationFailure>(&info)) {
    report(*failure);
  } else if (const auto* unsupported = llvm::dyn_cast<llvm::DiagnosticInfoUnsupported>(&info)) {
    report(*unsupported);
  } else if (info.getSeverity() != llvm::DS_Remark) {
    report_other(info);
  }
  return true;
}

void BackendMessages::report(const llvm::DiagnosticInfoSrcMgr& info) {
  const llvm::SMDiagnostic& message = info.getSMDiag();
  const std::string text = message.getMessage().str();
  const unsigned id = assembly_message(info.getSeverity());
  const clang::FullSourceLoc in_assembly = place_in_assembly(message);
  const SourceLocation statement = info.isInlineAsmDiag() ? from_cookie(info.getLocCookie()) : SourceLocation();
  if (statement.isInvalid()) {
    if (in_assembly.isValid()) {
      diagnostics_.Report(in_assembly, id).AddString(text);
    } else {
      diagnostics_.Report(id).AddString(text);
    }
    return;
  }
  diagnostics_.Report(statement, id).AddString(text);
  if (!in_assembly.isValid()) return;
  const clang::DiagnosticBuilder note = diagnostics_.Report(in_assembly, clang::diag::note_fe_inline_asm_here);
  const int column = message.getColumnNo();
  for (const auto& [begin, end] : message.getRanges()) {
    note << clang::SourceRange(in_assembly.getLocWithOffset(static_cast<int>(begin) - column),
                               in_assembly.getLocWithOffset(static_cast<int>(end) - column));
  }
}

void BackendMessages::report(const llvm::DiagnosticInfoInlineAsm& info) {
  const SourceLocation statement = from_cookie(info.getLocCookie());
  diagnostics_.Report(statement, assembly_message(info.getSeverity())).AddString(info.getMsgStr().str());
}

void BackendMessages::report(const llvm::DiagnosticInfoDontCall& info) {
  const unsigned id = info.getSeverity() == llvm::DS_Error ? clang::diag::err_fe_backend_error_attr
                                                           : clang::diag::warn_fe_backend_warning_attr;
  diagnostics_.Report(from_cookie(info.getLocCookie()), id)
      << llvm::demangle(std::string_view(info.getFunctionName())) << info.getNote();
}

void BackendMessages::report(const llvm::DiagnosticInfoOptimizationFailure& info) {
  diagnostics_.Report(place_of(info), clang::diag::warn_fe_backend_optimization_failure)
      << clang::AddFlagValue(info.getPassName()) << info.getMsg();
}

void BackendMessages::report(const llvm::DiagnosticInfoUnsupported& info) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << info.getMessage();
  diagnostics_.Report(place_of(info), info.getSeverity() == llvm::DS_Error ? clang::diag::err_fe_backend_unsupported
                                                                           : clang::diag::warn_fe_backend_unsupported)
      << text;
}

void BackendMessages::report_other(const llvm::DiagnosticInfo& info) {
  namespace diag = clang::diag;
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::DiagnosticPrinterRawOStream printer(stream);
  info.print(printer);
  diagnostics_.Report(by_severity(info.getSeverity(), diag::err_fe_backend_plugin, diag::warn_fe_backend_plugin,
                                  diag::note_fe_backend_plugin))
      << text;
}

SourceLocation BackendMessages::place_of(const llvm::DiagnosticInfoWithLocationBase& info) {
  if (!info.isLocationAvailable()) return {};
  llvm::StringRef file;
  unsigned line = 0;
  unsigned column = 0;
  info.getLocation(file, line, column);
  clang::SourceManager& sources = diagnostics_.getSourceManager();
  if (const auto entry = sources.getFileManager().getOptionalFileRef(file); entry && line > 0) {
    return sources.translateFileLineCol(*entry, line, column == 0 ? 1 : column);
  }
  return {};
}

/// The assembler's text becomes a file of the source manager, so that Clang can show the line.
clang::FullSourceLoc BackendMessages::place_in_assembly(const llvm::SMDiagnostic& message) {
  const llvm::SourceMgr* assembler = message.getSourceMgr();
  if (assembler == nullptr || !message.getLoc().isValid()) return {};
  const llvm::MemoryBuffer* text = assembler->getMemoryBuffer(assembler->FindBufferContainingLoc(message.getLoc()));
  auto copy = llvm::MemoryBuffer::getMemBufferCopy(text->getBuffer(), text->getBufferIdentifier());
  clang::SourceManager& sources = diagnostics_.getSourceManager();
  const clang::FileID file = sources.createFileID(std::move(copy));
  const auto offset = static_cast<int>(message.getLoc().getPointer() - text->getBufferStart());
  return clang::FullSourceLoc(sources.getLocForStartOfFile(file).getLocWithOffset(offset), sources);
}

}  // namespace cweb::jit
