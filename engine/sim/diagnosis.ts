// What helps to find a fault and costs time; tests switch it on, a lab that runs does not.

export const diagnosis = {
  /** A failed system call remembers where in our code it failed. Programs try paths all day long; most failures are answers. */
  keepsStacks: false,
  /** Objects that several controllers share throw when one of them changes them. */
  freezesShared: false,
};
