export * from './budget';
export * from './events';
export * from './generated';
export * from './slabs';
