/* case: a source that holds nothing but this comment
 * expect: 422
 * stage: config
 * says: defines no `config`
 */

