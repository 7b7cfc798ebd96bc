// Reads `config` off the typed source. Same thread as the compile; called once, when the whole source is parsed and
// nothing is wrong with it as C.
#include "jit/config_inspector.h"

#include <clang/AST/RecordLayout.h>
#include <clang/Basic/SourceManager.h>
#include <fmt/format.h>
#include <llvm/ADT/STLExtras.h>

namespace cweb::jit {
namespace {

const clang::FieldDecl* find_field(const clang::RecordDecl& record, llvm::StringRef name) {
  for (const clang::FieldDecl* field : record.fields()) {
    if (field->getName() == name) return field;
  }
  return nullptr;
}

/// The record that the elements of an array member are, or null.
const clang::RecordDecl* row_record(const clang::ASTContext& context, const clang::FieldDecl* table) {
  if (table == nullptr) return nullptr;
  const clang::ConstantArrayType* array = context.getAsConstantArrayType(table->getType());
  return array == nullptr ? nullptr : array->getElementType()->getAsRecordDecl();
}

MemberLayout layout_of(const clang::ASTContext& context, const clang::FieldDecl& field) {
  MemberLayout layout;
  layout.offset = static_cast<size_t>(
      context.toCharUnitsFromBits(static_cast<int64_t>(context.getFieldOffset(&field))).getQuantity());
  layout.size = static_cast<size_t>(context.getTypeSizeInChars(field.getType()).getQuantity());
  if (const clang::ConstantArrayType* array = context.getAsConstantArrayType(field.getType())) {
    layout.element_size = static_cast<size_t>(context.getTypeSizeInChars(array->getElementType()).getQuantity());
    layout.element_count = static_cast<size_t>(array->getSize().getZExtValue());
  }
  return layout;
}

/// What a member is initialised with, without the conversions around it; null when nothing is said.
const clang::Expr* plain_initialiser(const clang::Expr* expression) {
  if (expression == nullptr) return nullptr;
  expression = expression->IgnoreParenImpCasts();
  if (const auto* literal = llvm::dyn_cast<clang::CompoundLiteralExpr>(expression)) {
    expression = literal->getInitializer()->IgnoreParenImpCasts();
  }
  if (llvm::isa<clang::ImplicitValueInitExpr, clang::NoInitExpr>(expression)) return nullptr;
  return expression;
}

const clang::InitListExpr* as_list(const clang::Expr* expression) {
  expression = plain_initialiser(expression);
  const auto* list = llvm::dyn_cast_or_null<clang::InitListExpr>(expression);
  if (list != nullptr && !list->isSemanticForm() && list->getSemanticForm() != nullptr) list = list->getSemanticForm();
  return list;
}

const clang::Expr* member_initialiser(const clang::InitListExpr& list, const clang::FieldDecl* field) {
  if (field == nullptr || field->getFieldIndex() >= list.getNumInits()) return nullptr;
  return plain_initialiser(list.getInit(field->getFieldIndex()));
}

const clang::Expr* member_initialiser(const clang::InitListExpr& list, llvm::StringRef name) {
  const clang::RecordDecl* record = list.getType()->getAsRecordDecl();
  return record == nullptr ? nullptr : member_initialiser(list, find_field(*record, name));
}

std::string text_of(const clang::Expr* expression) {
  const auto* literal =
      expression == nullptr ? nullptr : llvm::dyn_cast<clang::StringLiteral>(expression->IgnoreParenCasts());
  return literal != nullptr && literal->getCharByteWidth() == 1 ? literal->getString().str() : std::string();
}

}  // namespace

void ConfigInspector::inspect(const clang::NamedDecl* found, ModuleFacts& facts) {
  const clang::VarDecl* config = variable_of(found);
  if (config == nullptr || !check_linkage(*config)) return;
  const clang::RecordDecl* record = config->getType()->getAsRecordDecl();
  if (record == nullptr || record->getName() != "module") {
    error(config->getLocation(), fmt::format("`config` has type '{}'; expected 'module_t' of <cweb.h>",
                                             config->getType().getAsString(context_.getPrintingPolicy())));
    return;
  }
  record = record->getDefinition();
  if (record == nullptr || !read_layout(*record, facts.layout)) {
    error(config->getLocation(), "`config` is a 'struct module', but not the one that <cweb.h> defines");
    return;
  }
  facts.config_position = position(config->getLocation());
  read_callbacks(*config, *record, facts);
}

const clang::VarDecl* ConfigInspector::variable_of(const clang::NamedDecl* found) {
  if (found == nullptr) {
    error({},
          "the module defines no `config`: write `export module_t config = { .name = \"...\", ... };` at file scope");
    return nullptr;
  }
  const auto* variable = llvm::dyn_cast<clang::VarDecl>(found);
  if (variable == nullptr)
    error(found->getLocation(), "`config` is not an object; expected `export module_t config = {...}`");
  return variable;
}

bool ConfigInspector::check_linkage(const clang::VarDecl& config) {
  if (config.getFormalLinkage() != clang::Linkage::External || !config.isExternallyVisible()) {
    error(config.getLocation(), "`config` is static, so the server cannot see it; write `export module_t config`");
    return false;
  }
  if (config.getVisibility() != clang::DefaultVisibility) {
    error(config.getLocation(), "`config` is hidden, so the server cannot see it; write `export module_t config`");
    return false;
  }
  if (config.getTLSKind() != clang::VarDecl::TLS_None) {
    error(config.getLocation(), "`config` is thread-local; there is one for the whole module");
    return false;
  }
  const clang::VarDecl& last = *config.getMostRecentDecl();
  if (last.hasDefinition() == clang::VarDecl::DeclarationOnly) {
    error(config.getLocation(), "`config` is declared and not defined; write `export module_t config = {...}`");
    return false;
  }
  return true;
}

bool ConfigInspector::read_layout(const clang::RecordDecl& record, ConfigLayout& layout) {
  if (record.isUnion() || record.isInvalidDecl()) return false;
  layout.size = static_cast<size_t>(context_.getASTRecordLayout(&record).getSize().getQuantity());
  const auto member = [&](llvm::StringRef name) -> std::optional<MemberLayout> {
    const clang::FieldDecl* field = find_field(record, name);
    if (field == nullptr || field->isBitField()) return std::nullopt;
    return layout_of(context_, *field);
  };
  layout.name = member("name");
  layout.author = member("author");
  layout.routes = member("routes");
  layout.route_count = member("size");
  layout.websockets = member("websockets");
  layout.websocket_count = member("ws_size");
  layout.onload = member("onload");
  layout.unload = member("unload");
  layout.deadline_ms = member("deadline_ms");
  layout.jobs = member("jobs");
  layout.job_count = member("job_size");

  // Each row member is found by name too; one that is missing or no pointer means that this is another struct.
  const auto row_member = [&](const clang::RecordDecl* row, llvm::StringRef name, MemberLayout& out) {
    const clang::FieldDecl* field = row == nullptr ? nullptr : find_field(*row, name);
    if (field == nullptr || field->isBitField()) return false;
    out = layout_of(context_, *field);
    return name == "flags" || field->getType()->isPointerType();
  };
  const clang::RecordDecl* route = row_record(context_, find_field(record, "routes"));
  const clang::RecordDecl* socket = row_record(context_, find_field(record, "websockets"));
  const bool rows_are_known =
      row_member(route, "path", layout.route_path) && row_member(route, "method", layout.route_method) &&
      row_member(route, "handler", layout.route_handler) && row_member(route, "flags", layout.route_flags) &&
      row_member(socket, "path", layout.websocket_path) && row_member(socket, "on_open", layout.websocket_on_open) &&
      row_member(socket, "on_message", layout.websocket_on_message) &&
      row_member(socket, "on_close", layout.websocket_on_close);
  const auto is_int = [](const std::optional<MemberLayout>& found) { return found && found->size == sizeof(int); };
  const auto is_text = [](const std::optional<MemberLayout>& found) { return found && found->element_size == 1; };
  const auto is_pointer = [](const std::optional<MemberLayout>& found) {
    return found && found->size == sizeof(void*);
  };
  return rows_are_known && is_text(layout.name) && is_text(layout.author) && is_int(layout.route_count) &&
         is_int(layout.websocket_count) && is_pointer(layout.onload) && is_pointer(layout.unload) &&
         (!layout.deadline_ms || is_int(layout.deadline_ms)) && (!layout.job_count || is_int(layout.job_count));
}

void ConfigInspector::read_callbacks(const clang::VarDecl& config, const clang::RecordDecl& record,
                                     ModuleFacts& facts) {
  const clang::Expr* initialiser = config.getAnyInitializer();
  if (initialiser == nullptr) return;  // All zero: whoever reads its name says so.
  const clang::InitListExpr* list = as_list(initialiser);
  if (list == nullptr) {
    error(initialiser->getExprLoc(), "`config` must be initialised member by member: `= { .name = \"...\", ... }`");
    return;
  }
  const auto read_rows = [&](llvm::StringRef table, auto read_row) {
    const clang::Expr* given = member_initialiser(*list, find_field(record, table));
    if (given == nullptr) return;
    const clang::InitListExpr* rows = as_list(given);
    if (rows == nullptr) {
      error(given->getExprLoc(),
            fmt::format("the rows of `{}` must be written out: `.{} = {{ {{...}}, ... }}`", table.str(), table.str()));
      return;
    }
    for (unsigned i = 0; i < rows->getNumInits(); ++i) {
      if (const clang::InitListExpr* row = as_list(rows->getInit(i))) read_row(*row, i);
    }
  };
  read_rows("routes", [&](const clang::InitListExpr& row, size_t index) { read_route(row, index, facts); });
  read_rows("websockets", [&](const clang::InitListExpr& row, size_t index) { read_web_socket(row, index, facts); });
  facts.onload = read_callback(member_initialiser(*list, "onload"), Callback::load, "onload", "").shape;
  facts.unload = read_callback(member_initialiser(*list, "unload"), Callback::load, "unload", "").shape;
}

void ConfigInspector::read_route(const clang::InitListExpr& row, size_t index, ModuleFacts& facts) {
  const clang::Expr* handler = member_initialiser(row, "handler");
  const std::string path = text_of(member_initialiser(row, "path"));
  const std::string method = text_of(member_initialiser(row, "method"));
  const std::string owner = path.empty() || method.empty() ? fmt::format(" of routes[{}]", index)
                                                           : fmt::format(" of route {} {}", method, path);
  const CallbackFact fact = read_callback(handler, Callback::handler, "handler", owner);
  const clang::SourceLocation location = handler != nullptr ? handler->getExprLoc() : row.getBeginLoc();
  facts.routes.push_back({index, position(location), fact.shape, fact.name});
}

void ConfigInspector::read_web_socket(const clang::InitListExpr& row, size_t index, ModuleFacts& facts) {
  const std::string path = text_of(member_initialiser(row, "path"));
  const std::string owner =
      path.empty() ? fmt::format(" of websockets[{}]", index) : fmt::format(" of WebSocket {}", path);
  WebSocketFact fact;
  fact.index = index;
  fact.position = position(row.getBeginLoc());
  fact.on_open = read_callback(member_initialiser(row, "on_open"), Callback::on_open, "on_open", owner).shape;
  fact.on_message =
      read_callback(member_initialiser(row, "on_message"), Callback::on_message, "on_message", owner).shape;
  fact.on_close = read_callback(member_initialiser(row, "on_close"), Callback::on_close, "on_close", owner).shape;
  facts.websockets.push_back(fact);
}

ConfigInspector::CallbackFact ConfigInspector::read_callback(const clang::Expr* expression, Callback callback,
                                                             const std::string& member, const std::string& owner) {
  if (expression == nullptr) return {};
  const clang::Expr* plain = expression->IgnoreParenCasts();
  for (const auto* step = llvm::dyn_cast<clang::UnaryOperator>(plain); step != nullptr;
       step = llvm::dyn_cast<clang::UnaryOperator>(plain)) {
    if (step->getOpcode() != clang::UO_AddrOf && step->getOpcode() != clang::UO_Deref) break;
    plain = step->getSubExpr()->IgnoreParenCasts();
  }
  if (plain->isNullPointerConstant(context_, clang::Expr::NPC_ValueDependentIsNotNull) != clang::Expr::NPCK_NotNull) {
    return {};
  }
  const auto* reference = llvm::dyn_cast<clang::DeclRefExpr>(plain);
  const auto* function = reference == nullptr ? nullptr : llvm::dyn_cast<clang::FunctionDecl>(reference->getDecl());
  if (function == nullptr) {
    error(expression->getExprLoc(), fmt::format("{}{} must be the name of a function", member, owner),
          expression->getSourceRange());
    return {};
  }
  const CallShape shape = call_shape(*function, callback, context_);
  if (shape == CallShape::absent) {
    error(expression->getExprLoc(),
          fmt::format("{} `{}`{} has type '{}'; expected {}", member, function->getName().str(), owner,
                      function->getType().getAsString(context_.getPrintingPolicy()), accepted_types(callback)),
          expression->getSourceRange());
    errors_.note(function->getLocation(), fmt::format("`{}` is declared here", function->getName().str()));
  }
  return {shape, function->getName().str()};
}

SourcePosition ConfigInspector::position(clang::SourceLocation location) const {
  const clang::SourceManager& sources = context_.getSourceManager();
  const clang::SourceLocation expanded = sources.getExpansionLoc(location);
  if (sources.getFileID(expanded) != sources.getMainFileID()) return {};
  return {sources.getSpellingLineNumber(expanded), sources.getSpellingColumnNumber(expanded)};
}

}  // namespace cweb::jit
