// Reads a module's `config` while it still has types: its record layout, and the callbacks in its initialiser.
#pragma once

#include <clang/AST/ASTContext.h>
#include <clang/AST/Decl.h>
#include <clang/AST/Expr.h>

#include <string>

#include "jit/callback_types.h"
#include "jit/module_errors.h"
#include "runtime/code_image.h"

namespace cweb::jit {

/// Lives for one call of inspect().
class ConfigInspector {
 public:
  ConfigInspector(clang::ASTContext& context, ModuleErrors& errors) : context_(context), errors_(errors) {}

  /// `found` is the last declaration of the name `config` at file scope, or null. Fills in everything of `facts` that
  /// concerns it; reports what is wrong with it.
  void inspect(const clang::NamedDecl* found, ModuleFacts& facts);

 private:
  const clang::VarDecl* variable_of(const clang::NamedDecl* found);
  bool check_linkage(const clang::VarDecl& config);
  bool read_layout(const clang::RecordDecl& record, ConfigLayout& layout);
  void read_callbacks(const clang::VarDecl& config, const clang::RecordDecl& record, ModuleFacts& facts);
  void read_route(const clang::InitListExpr& row, size_t index, ModuleFacts& facts);
  void read_web_socket(const clang::InitListExpr& row, size_t index, ModuleFacts& facts);

  struct CallbackFact {
    CallShape shape = CallShape::absent;
    std::string name;
  };
  /// `what` names the place in `config` for a message: "handler", "of route GET /x".
  CallbackFact read_callback(const clang::Expr* expression, Callback callback, const std::string& member,
                             const std::string& owner);

  void error(clang::SourceLocation location, const std::string& message, clang::SourceRange range = {}) {
    errors_.error(ModuleErrors::Stage::config, location, message, range);
  }
  SourcePosition position(clang::SourceLocation location) const;

  clang::ASTContext& context_;
  ModuleErrors& errors_;
};

}  // namespace cweb::jit
