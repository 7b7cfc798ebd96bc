// Which names of the process module code may link to, and what they resolve to.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "runtime/code_image.h"

namespace cweb::jit {

/// Thread-safe. What a module defines itself is never asked here: it has won already.
class SymbolPolicy {
 public:
  /// Loads the libraries that modules are offered, and `linked` behind them: names that the loader looks for, or paths.
  /// `host` and its names outlive the policy.
  static Expected<std::unique_ptr<SymbolPolicy>> create(std::span<const HostSymbol> host,
                                                        const std::vector<std::string>& linked = {});
  ~SymbolPolicy();
  SymbolPolicy(const SymbolPolicy&) = delete;
  SymbolPolicy& operator=(const SymbolPolicy&) = delete;

  struct Answer {
    void* address = nullptr;
    /// When address is null: why a name that the libraries have is kept from modules. Empty: nobody knows the name.
    std::string_view refusal;
  };
  Answer find(const std::string& name);

 private:
  SymbolPolicy() = default;
  Expected<void> load(const std::string& name, std::string_view whose);
  void* find_in_libraries(const std::string& name) const;
  bool is_offered(const void* address) const;

  std::unordered_map<std::string_view, void*> host_;
  std::vector<void*> libraries_;        ///< handles of dlopen, in the order of search
  std::vector<const void*> link_maps_;  ///< the loader's records of the same, and of the vDSO
  const void* executable_ = nullptr;    ///< the loader's record of the program itself

  std::mutex mutex_;
  std::unordered_map<std::string, void*> found_;  ///< guarded by mutex_; bounded by what the libraries export
};

}  // namespace cweb::jit
