// What has come and nobody has asked for yet.
'use strict';

exports.Inbox = class {
  constructor() {
    this.waiting = [];
    this.takers = [];
    this.ending = null;
  }

  put(item) {
    if (this.takers.length > 0) this.takers.shift().resolve(item);
    else this.waiting.push(item);
  }

  // Nothing more will come: whoever asks is told why.
  end(why) {
    this.ending = new Error(why);
    for (const taker of this.takers.splice(0)) taker.reject(this.ending);
  }

  // A promise of the next item.
  take() {
    if (this.waiting.length > 0) return Promise.resolve(this.waiting.shift());
    if (this.ending) return Promise.reject(this.ending);
    return new Promise((resolve, reject) => this.takers.push({resolve, reject}));
  }
};
