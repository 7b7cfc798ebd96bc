// Keeps what is done to one module in the order in which it was asked for, while everything before that runs in
// parallel. Any thread; knows nothing of compiling or of the registry.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace cweb::mgnt {

/// Thread-safe. Outlives its tickets.
///
/// A ticket is drawn when a request comes, for the lane of the name that its text seems to give; it waits for the older
/// tickets of that lane. The name that counts is known only after linking: enter() lets one ticket at a time act on a
/// name, and turns away one that comes when a younger one has acted already (its guess was wrong). A ticket waits for
/// its lane first and for the name last, and whoever is inside a name waits for nobody, so nothing can lock up.
class DeployLanes {
 public:
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket();

    /// Is no older ticket in the lane?
    bool is_first() const;
    /// Waits until is_first().
    void wait_turn() const;
    /// Waits until no other ticket acts on `name`, then acts on it until the ticket is gone. False: a younger ticket
    /// has taken effect on this name already. At most once a ticket, after wait_turn().
    [[nodiscard]] bool enter(const std::string& name);
    /// What was asked for is done: older tickets come too late now. Between enter() and the end of the ticket.
    void took_effect();

   private:
    friend class DeployLanes;
    Ticket(DeployLanes& lanes, uint64_t number, std::string lane);
    DeployLanes* lanes_;  // null when moved from
    uint64_t number_;
    std::string lane_;
    std::string name_;
    bool entered_ = false;
    bool ordered_ = true;
  };

  Ticket draw(std::string lane);
  /// A ticket that waits for no lane and is never too late, for what only looks and takes no effect.
  Ticket draw_unordered();

 private:
  void leave(const Ticket& ticket);
  bool is_first_locked(const Ticket& ticket) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  uint64_t last_number_ = 0;                         // guarded by mutex_, as is all below
  std::map<std::string, std::set<uint64_t>> lanes_;  // tickets that are not gone, by lane
  std::set<uint64_t> outstanding_;                   // the same, all together
  std::set<std::string> entered_names_;
  std::map<std::string, uint64_t> last_effect_;  // youngest ticket that took effect, while an older one is outstanding
};

}  // namespace cweb::mgnt
