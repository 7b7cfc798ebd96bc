// Walks each top-level declaration before code is generated for it. Same thread as the compile.
#include "jit/inspector.h"

#include <clang/AST/RecursiveASTVisitor.h>
#include <clang/Basic/SourceManager.h>
#include <fmt/format.h>

#include "base/clock.h"
#include "jit/asm_rules.h"
#include "jit/config_inspector.h"

namespace cweb::jit {

namespace {

// The object file holds the padding.
constexpr uint64_t most_alignment_bytes = uint64_t{1} << 20;

}  // namespace

/// Visits what is inside functions and initialisers.
class Inspector::Walk : public clang::RecursiveASTVisitor<Inspector::Walk> {
 public:
  explicit Walk(Inspector& inspector) : inspector_(inspector) {}

  bool VisitDecl(clang::Decl* declaration) {
    inspector_.check_asm_label(*declaration);
    return !inspector_.stop_;
  }
  bool VisitVarDecl(clang::VarDecl* variable) {
    inspector_.check_variable(*variable);
    return !inspector_.stop_;
  }
  bool VisitFileScopeAsmDecl(clang::FileScopeAsmDecl* declaration) {
    inspector_.check_asm(declaration->getAsmLoc(), declaration->getAsmString()->getString());
    return !inspector_.stop_;
  }
  bool VisitGCCAsmStmt(clang::GCCAsmStmt* statement) {
    inspector_.check_asm(statement->getAsmLoc(), statement->getAsmString()->getString());
    return !inspector_.stop_;
  }
  bool VisitMSAsmStmt(clang::MSAsmStmt* statement) {
    inspector_.check_asm(statement->getAsmLoc(), statement->getAsmString());
    return !inspector_.stop_;
  }
  bool VisitCompoundLiteralExpr(clang::CompoundLiteralExpr* literal) {
    if (literal->isFileScope()) {
      inspector_.check_static_bytes(literal->getBeginLoc(), literal->getType(), "this compound literal");
    }
    return !inspector_.stop_;
  }
  bool VisitDeclRefExpr(clang::DeclRefExpr* reference) {
    inspector_.note_use(*reference->getDecl(), reference->getLocation());
    return true;
  }

 private:
  Inspector& inspector_;
};

bool Inspector::HandleTopLevelDecl(clang::DeclGroupRef group) {
  for (clang::Decl* declaration : group) {
    note_config(*declaration);
    check_main(*declaration);
    Walk(*this).TraverseDecl(declaration);
    if (stop_) return false;
  }
  return true;
}

void Inspector::HandleTranslationUnit(clang::ASTContext& context) {
  // A handler with another return type is Clang's error already; what it should be is for the inspector to say.
  if (!errors_.any_unrecoverable()) ConfigInspector(context, errors_).inspect(config_, result_.facts);
  if (!errors_.any()) collect_external_uses();
  result_.only_config_is_wrong = errors_.only_config();
  result_.parsed_at_ns = monotonic_ns();
}

void Inspector::refuse(clang::SourceLocation location, const std::string& message) {
  errors_.error(ModuleErrors::Stage::compile, location, message);
  stop_ = true;
}

/// Seen as it passes: a look-up by name would read every declaration of the precompiled headers.
void Inspector::note_config(const clang::Decl& declaration) {
  const auto* named = llvm::dyn_cast<clang::NamedDecl>(&declaration);
  if (named == nullptr || !named->isInIdentifierNamespace(clang::Decl::IDNS_Ordinary)) return;
  if (named->getDeclName().isIdentifier() && named->getName() == "config") config_ = named;
}

void Inspector::check_main(const clang::Decl& declaration) {
  const auto* function = llvm::dyn_cast<clang::FunctionDecl>(&declaration);
  if (function == nullptr || !function->isMain() || !function->isThisDeclarationADefinition()) return;
  errors_.error(ModuleErrors::Stage::compile, function->getLocation(),
                "a module has no `main`: the server calls the handlers that `config` names, and `onload` before them");
}

void Inspector::check_asm(clang::SourceLocation location, llvm::StringRef text) {
  if (const std::optional<std::string> reason = refused_asm(std::string_view(text))) refuse(location, *reason);
}

void Inspector::check_asm_label(const clang::Decl& declaration) {
  const auto* label = declaration.getAttr<clang::AsmLabelAttr>();
  if (label == nullptr || plain_asm_label(std::string_view(label->getLabel()))) return;
  refuse(declaration.getLocation(), "an asm label of a module may hold letters, digits, `_`, `.`, `$` and `@` only");
}

void Inspector::check_variable(const clang::VarDecl& variable) {
  if (variable.isInvalidDecl() || llvm::isa<clang::ParmVarDecl>(variable)) return;
  const std::string what = fmt::format("`{}`", variable.getName().str());
  if (const auto bytes = static_cast<uint64_t>(context_->getDeclAlign(&variable).getQuantity());
      bytes > most_alignment_bytes) {
    refuse(variable.getLocation(),
           fmt::format("{} is aligned to {} bytes; the limit is {}", what, bytes, most_alignment_bytes));
    return;
  }
  if (variable.hasGlobalStorage()) {
    if (variable.isThisDeclarationADefinition() == clang::VarDecl::DeclarationOnly) return;
    if (!counted_.insert(variable.getCanonicalDecl()).second) return;
    check_static_bytes(variable.getLocation(), variable.getType(), what);
    return;
  }
  // A local object of this size overflows every stack; its initialiser alone would fill the object file.
  if (variable.getType()->isIncompleteType() || variable.getType()->isVariablyModifiedType()) return;
  const auto bytes = static_cast<uint64_t>(context_->getTypeSizeInChars(variable.getType()).getQuantity());
  if (bytes > limits_.static_data_bytes) {
    refuse(variable.getLocation(),
           fmt::format("{} takes {} bytes; the limit for one object is {} (allocate it in onload)", what, bytes,
                       limits_.static_data_bytes));
  }
}

void Inspector::check_static_bytes(clang::SourceLocation location, clang::QualType type, const std::string& what) {
  if (type->isIncompleteType() || type->isVariablyModifiedType()) return;
  const auto bytes = static_cast<uint64_t>(context_->getTypeSizeInChars(type).getQuantity());
  if (bytes > limits_.static_data_bytes) {
    refuse(location, fmt::format("{} takes {} bytes of static storage; the limit is {} (allocate it in onload)", what,
                                 bytes, limits_.static_data_bytes));
    return;
  }
  static_bytes_ += bytes;
  if (static_bytes_ > limits_.static_data_bytes) {
    refuse(location,
           fmt::format("with {} the module's static storage comes to {} bytes; the limit is {} (allocate it in "
                       "onload)",
                       what, static_bytes_, limits_.static_data_bytes));
  }
}

void Inspector::note_use(const clang::ValueDecl& used, clang::SourceLocation location) {
  if (!llvm::isa<clang::FunctionDecl, clang::VarDecl>(used) || !used.hasLinkage()) return;
  const auto* key = llvm::cast<clang::ValueDecl>(used.getCanonicalDecl());
  if (uses_.contains(key)) return;
  const clang::SourceManager& sources = context_->getSourceManager();
  const clang::SourceLocation expanded = sources.getExpansionLoc(location);
  if (sources.getFileID(expanded) != sources.getMainFileID()) return;
  uses_[key] = {sources.getSpellingLineNumber(expanded), sources.getSpellingColumnNumber(expanded)};
}

void Inspector::collect_external_uses() {
  for (const auto& [used, position] : uses_) {
    if (const auto* function = llvm::dyn_cast<clang::FunctionDecl>(used)) {
      // Builtins that have no library function behind them never reach the linker.
      if (function->isDefined() || function->getName().starts_with("__builtin_")) continue;
    } else if (llvm::cast<clang::VarDecl>(used)->getMostRecentDecl()->hasDefinition() !=
               clang::VarDecl::DeclarationOnly) {
      continue;
    }
    const auto* label = used->getMostRecentDecl()->getAttr<clang::AsmLabelAttr>();
    result_.facts.external_uses.push_back(
        {label != nullptr ? label->getLabel().str() : used->getName().str(), position});
  }
}

}  // namespace cweb::jit
