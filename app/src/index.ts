export * from './budget';
export * from './engine';
export * from './events';
export * from './generated';
export * from './names';
export * from './prices';
export * from './slabs';
export * from './staged';
