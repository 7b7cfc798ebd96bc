#include "mgnt/deploy_lanes.h"

#include <utility>

#include "base/error.h"

namespace cweb::mgnt {

DeployLanes::Ticket::Ticket(DeployLanes& lanes, uint64_t number, std::string lane)
    : lanes_(&lanes), number_(number), lane_(std::move(lane)) {}

DeployLanes::Ticket::Ticket(Ticket&& other) noexcept
    : lanes_(std::exchange(other.lanes_, nullptr)),
      number_(other.number_),
      lane_(std::move(other.lane_)),
      name_(std::move(other.name_)),
      entered_(other.entered_),
      ordered_(other.ordered_) {}

DeployLanes::Ticket::~Ticket() {
  if (lanes_ != nullptr) lanes_->leave(*this);
}

bool DeployLanes::Ticket::is_first() const {
  const std::lock_guard lock(lanes_->mutex_);
  return lanes_->is_first_locked(*this);
}

void DeployLanes::Ticket::wait_turn() const {
  std::unique_lock lock(lanes_->mutex_);
  lanes_->changed_.wait(lock, [this] { return lanes_->is_first_locked(*this); });
}

bool DeployLanes::Ticket::enter(const std::string& name) {
  std::unique_lock lock(lanes_->mutex_);
  CWEB_ASSERT(!entered_ && lanes_->is_first_locked(*this));
  lanes_->changed_.wait(lock, [&] { return !lanes_->entered_names_.contains(name); });
  const auto effect = lanes_->last_effect_.find(name);
  if (ordered_ && effect != lanes_->last_effect_.end() && effect->second > number_) return false;
  lanes_->entered_names_.insert(name);
  name_ = name;
  entered_ = true;
  return true;
}

void DeployLanes::Ticket::took_effect() {
  const std::lock_guard lock(lanes_->mutex_);
  CWEB_ASSERT(entered_ && ordered_);
  lanes_->last_effect_[name_] = number_;
}

DeployLanes::Ticket DeployLanes::draw(std::string lane) {
  const std::lock_guard lock(mutex_);
  const uint64_t number = ++last_number_;
  lanes_[lane].insert(number);
  outstanding_.insert(number);
  return Ticket(*this, number, std::move(lane));
}

DeployLanes::Ticket DeployLanes::draw_unordered() {
  static constexpr const char* no_name = "\n";  // no module has a line end in its name
  const std::lock_guard lock(mutex_);
  const uint64_t number = ++last_number_;
  std::string lane = std::string(no_name).append(std::to_string(number));
  lanes_[lane].insert(number);
  outstanding_.insert(number);
  Ticket ticket(*this, number, std::move(lane));
  ticket.ordered_ = false;
  return ticket;
}

bool DeployLanes::is_first_locked(const Ticket& ticket) const {
  return *lanes_.at(ticket.lane_).begin() == ticket.number_;
}

void DeployLanes::leave(const Ticket& ticket) {
  const std::lock_guard lock(mutex_);
  const auto lane = lanes_.find(ticket.lane_);
  lane->second.erase(ticket.number_);
  if (lane->second.empty()) lanes_.erase(lane);
  outstanding_.erase(ticket.number_);
  if (ticket.entered_) entered_names_.erase(ticket.name_);
  // An effect matters only to tickets older than it; without them the names of all time would pile up here.
  std::erase_if(last_effect_,
                [&](const auto& effect) { return outstanding_.empty() || effect.second < *outstanding_.begin(); });
  changed_.notify_all();
}

}  // namespace cweb::mgnt
